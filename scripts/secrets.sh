#!/bin/sh
# Writes the secrets of the stack that are missing or empty into secrets/, or into the folder given. Needs neither Node nor Docker.
set -eu
folder=${1:-"$(dirname "$0")/../secrets"}
mkdir -p "$folder"
# The folder keeps others out; the files are read by processes in containers, which are not their owner.
chmod 700 "$folder"
umask 022

# keep NAME CONTENT: a file that has something in it is left as it is.
keep() {
  [ -s "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
  [ -s "$folder/$1" ] || echo "secrets/$1 is empty: nothing is sent there until you fill it" >&2
}

keep grafana_admin_password "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
keep slack_api_url "${SLACK_API_URL:-}"
keep pagerduty_routing_key "${PAGERDUTY_ROUTING_KEY:-}"
echo "Grafana: user admin, its password is in secrets/grafana_admin_password"

# The few things that are asked for by make; all else is in package.json.
.PHONY: help secrets shadow-archive

help:
	@echo 'make shadow-archive [ARGS="--max_keep 300 --dry_run"]   move old windows out of artifacts/shadow/latest'
	@echo 'make secrets                                           what docker compose needs before its first start'

secrets:
	@sh scripts/secrets.sh

shadow-archive:
	@node scripts/install.mjs
	@node scripts/build.mjs
	@node dist/main.js archive $(ARGS)

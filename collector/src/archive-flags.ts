import type { Flag } from './flags.ts';
import { flag } from './flags.ts';

/** The flags of `shadow archive`. */
// prettier-ignore
export const ARCHIVE_FLAGS = {
  src: flag({ group: 'input', kind: 'text', fallback: 'artifacts/shadow/latest', placeholder: 'DIR', help: 'folder of ITER_SUMMARY_<n>.json' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
  dst_root: flag({ group: 'output', kind: 'text', fallback: undefined, placeholder: 'DIR', help: 'where the folders ts-YYYYMMDD_HHMMSS (UTC) are made. Default: the parent of --src' }),
  max_keep: flag({ group: 'output', kind: 'integer', fallback: 300, min: 1, max: 1e9, help: 'windows that stay: those of the highest numbers' }),
  max_archives: flag({ group: 'output', kind: 'integer', fallback: 0, min: 0, max: 1e9, help: 'archive folders that stay, the newest; older ones are removed. 0 keeps all' }),
  max_bytes: flag({ group: 'output', kind: 'number', fallback: 0, min: 0, max: 1e18, help: 'bytes of all archive folders together; the oldest are removed first, the newest never. 0 is no limit' }),
  dry_run: flag({ group: 'output', kind: 'boolean', fallback: false, help: 'tell what would be done, and touch nothing' }),
} as const satisfies Record<string, Flag>;

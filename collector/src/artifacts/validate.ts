import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import type {
  IterSummary,
  ShadowAudit,
  ShadowComparison,
  ShadowRunSummary,
  ShadowSnapshot,
  WindowFills,
} from '../../../schema/types.gen.js';
import { ShadowError } from '../errors.ts';
import { readSchema } from '../resources.ts';

/** The first violation is told: a hostile document may have millions. */
const ajv = new Ajv({ allowUnionTypes: true, strictRequired: false, strictTypes: false });
// The package's default export is the function itself in CommonJS and a property of it in its types.
(ajvFormats as unknown as (instance: Ajv) => void)(ajv);

/** Answers whether a value follows a schema; then, until the next value, `errors` tell why not. */
export interface Validator<T> {
  (value: unknown): value is T;
  readonly errors: readonly ErrorObject[];
}

/** Compiled when it is first asked: most commands need one schema of several, and compiling takes a tenth of a second. */
function validator<T>(name: string): Validator<T> {
  let compiled: ValidateFunction<T> | undefined;
  const validate = (value: unknown): value is T => (compiled ??= ajv.compile<T>(readSchema(name)))(value);
  return Object.defineProperty(validate, 'errors', { get: () => compiled?.errors ?? [] }) as Validator<T>;
}

export const iterSummaryValidator = validator<IterSummary>('iter_summary');
export const windowFillsValidator = validator<WindowFills>('window_fills');
export const runSummaryValidator = validator<ShadowRunSummary>('shadow_run_summary');
export const snapshotValidator = validator<ShadowSnapshot>('shadow_snapshot');
export const comparisonValidator = validator<ShadowComparison>('shadow_comparison');
export const auditValidator = validator<ShadowAudit>('shadow_audit');

/** The value, if it follows the schema. Throws SHADOW_ERR_SCHEMA with the violation and where it is. */
export function validated<T>(validate: Validator<T>, value: unknown, what: string): T {
  if (validate(value)) return value;
  const problems = validate.errors.map(({ instancePath, message, params }) => {
    const detail = Object.entries(params as Record<string, unknown>).map(
      ([key, item]) => `${key} ${JSON.stringify(item)}`,
    );
    return `${instancePath === '' ? '/' : instancePath} ${message ?? 'is wrong'} (${detail.join(', ')})`;
  });
  throw new ShadowError('SHADOW_ERR_SCHEMA', `${what} does not follow its schema: ${problems.join('; ')}`);
}

import type { ValidateFunction } from 'ajv';
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

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false, strictTypes: false });
// The package's default export is the function itself in CommonJS and a property of it in its types.
(ajvFormats as unknown as (instance: Ajv) => void)(ajv);

const compile = <T>(name: string): ValidateFunction<T> => ajv.compile<T>(readSchema(name));

export const iterSummaryValidator = compile<IterSummary>('iter_summary');
export const windowFillsValidator = compile<WindowFills>('window_fills');
export const runSummaryValidator = compile<ShadowRunSummary>('shadow_run_summary');
export const snapshotValidator = compile<ShadowSnapshot>('shadow_snapshot');
export const comparisonValidator = compile<ShadowComparison>('shadow_comparison');
export const auditValidator = compile<ShadowAudit>('shadow_audit');

/** The value, if it follows the schema. Throws SHADOW_ERR_SCHEMA with every violation and where it is. */
export function validated<T>(validator: ValidateFunction<T>, value: unknown, what: string): T {
  if (validator(value)) return value;
  const problems = (validator.errors ?? []).map(({ instancePath, message, params }) => {
    const detail = Object.entries(params as Record<string, unknown>).map(
      ([key, item]) => `${key} ${JSON.stringify(item)}`,
    );
    return `${instancePath === '' ? '/' : instancePath} ${message ?? 'is wrong'} (${detail.join(', ')})`;
  });
  throw new ShadowError('SHADOW_ERR_SCHEMA', `${what} does not follow its schema: ${problems.join('; ')}`);
}

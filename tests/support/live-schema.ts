import { Ajv } from 'ajv';
import type { LiveHistory, LiveSymbols, LiveUpdate } from '../../schema/types.gen.js';
import { readSchema } from '../../collector/src/resources.ts';

interface Documents {
  history: LiveHistory;
  update: LiveUpdate;
  symbols: LiveSymbols;
}

const SCHEMA = readSchema('live_view') as { $id: string };
const ajv = new Ajv({ allowUnionTypes: true }).addSchema(SCHEMA);

/** The value, if it is the document of the live view. Throws with the violation. */
export function expectLive<Name extends keyof Documents>(name: Name, value: unknown): Documents[Name] {
  const validate = ajv.getSchema(`${SCHEMA.$id}#/definitions/live_${name}`)!;
  if (validate(value) !== true) throw new Error(`no ${name} of the live view: ${ajv.errorsText(validate.errors)}`);
  return value as Documents[Name];
}

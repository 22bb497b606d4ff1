import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../rules/refusal.ts';
import type { InputFault } from '../schemas/problem.ts';
import { pointer } from './body.ts';

/** One line for each fault, with where it lies; never the value that was sent. */
function faultsOf(issues: z.core.$ZodIssue[]): InputFault[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: pointer([...issue.path, key]),
          message: 'is not known here',
        }))
      : [{ path: pointer(issue.path), message: issue.message }],
  );
}

const MAX_FAULTS = 10;

/** Checks each part of a request with its zod schema; the handler gets what the schema made of it. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (input) => {
    // Fastify says null where nothing was sent.
    const { success, data, error } = schema.safeParse(input ?? undefined);
    if (success) return { value: data };
    return {
      error: new Refusal('invalid_input', { errors: faultsOf(error.issues).slice(0, MAX_FAULTS) }),
    };
  };

import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../rules/refusal.ts';
import { messageOf } from '../schemas/messages.ts';
import type { InputFault } from '../schemas/problem.ts';
import { pointer } from './body.ts';

/** One line for each fault, with its place; never the value that was sent. */
function faultsOf(issues: z.core.$ZodIssue[]): InputFault[] {
  const ofWrongType = new Set(
    issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => pointer(path)),
  );
  // zod goes on to measure some values of a wrong type.
  const isMeasured = ({ code, path }: z.core.$ZodIssue) =>
    code === 'too_big' && ofWrongType.has(pointer(path));
  return issues
    .filter((issue) => !isMeasured(issue))
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: pointer([...issue.path, key]),
            message: 'is not a known field',
          }))
        : [{ path: pointer(issue.path), message: issue.message }],
    );
}

const MAX_FAULTS = 10;

/** Checks each part of a request with its zod schema. The handler gets the parsed value. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (input) => {
    // Fastify passes null where nothing was sent.
    const { success, data, error } = schema.safeParse(input ?? undefined, { error: messageOf });
    if (success) return { value: data };
    return {
      error: new Refusal('invalid_input', { errors: faultsOf(error.issues).slice(0, MAX_FAULTS) }),
    };
  };

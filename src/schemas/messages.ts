import type { z } from 'zod';

const KINDS: Record<string, string> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

const UNITS: Record<string, string> = { string: ' characters', array: ' entries' };

const FORMATS: Record<string, string> = { email: 'an email address', uuid: 'a UUID' };

/** What a field must be, in the words of a form: zod's own messages speak of its types. A schema's own message wins. */
export const messageOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? 'of another type'}`;
    case 'too_small':
      if (issue.minimum === 1 && issue.origin === 'string') return 'must not be empty';
      return `must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'invalid_value':
      return `must be ${issue.values.join(' or ')}`;
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? 'in the form that the documentation shows'}`;
    case 'invalid_union':
      return 'is not valid';
    default:
      return undefined;
  }
};

import { z } from 'zod';

/** The answer of what is decided later, by mail: the same whether the address is known or not. */
export const Accepted = z.object({ detail: z.string() }).meta({
  id: 'Accepted',
  examples: [{ detail: 'If this address can be used, a mail is on its way.' }],
});

export const accepted = { detail: 'If this address can be used, a mail is on its way.' };

import { z } from 'zod';

/** The answer where a mail decides what happens next. It is the same whether the address has an account or not. */
export const Accepted = z.object({ detail: z.string() }).meta({
  id: 'Accepted',
  examples: [{ detail: 'If this address can be used, a mail is on its way.' }],
});

export const accepted = { detail: 'If this address can be used, a mail is on its way.' };

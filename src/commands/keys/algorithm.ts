import { SigningAlgorithm } from '../../schemas/jwk.ts';
import { UsageError } from '../usage-error.ts';

/** The value of `--alg`. */
export function algorithmOf(word: unknown): SigningAlgorithm {
  const { success, data } = SigningAlgorithm.safeParse(word);
  if (!success) throw new UsageError(`--alg is one of ${SigningAlgorithm.options.join(', ')}`);
  return data;
}

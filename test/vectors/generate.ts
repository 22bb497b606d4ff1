import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { ALGORITHMS, type VectorKeys, vectorSetOf } from './vectors.ts';

const pathOf = (name: string) => `${import.meta.dirname}/${name}.json`;
const read = (name: string) =>
  existsSync(pathOf(name)) ? JSON.parse(readFileSync(pathOf(name), 'utf8')) : undefined;
const write = (name: string, value: object) =>
  writeFileSync(pathOf(name), `${JSON.stringify(value, null, 2)}\n`);

const made = () =>
  Object.fromEntries(
    ALGORITHMS.map((alg) => [
      alg,
      { trusted: newSigningKey(alg, 0), stranger: newSigningKey(alg, 0) },
    ]),
  ) as VectorKeys;

const { keys } = (read('test-keys') as { keys: VectorKeys } | undefined) ?? { keys: made() };
const warning = 'Everybody knows these private keys. They are for tests alone.';
write('test-keys', { warning, keys });
for (const alg of ALGORITHMS) write(alg, vectorSetOf(alg, keys[alg], read(alg)));

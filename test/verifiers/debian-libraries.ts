import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from '../../src/schemas/jwk.ts';
import type { Trust } from './issuer.ts';

const run = promisify(execFile);

/** Debian's own interpreters, which know Debian's packages. */
const ENV = { PATH: '/usr/bin:/bin' };

export interface DebianLibrary {
  /** Its row in the table of .github/VERIFYING.md. */
  row: string;
  package: string;
  algorithms: readonly SigningAlgorithm[];
  /** The interpreter, and a program that succeeds if the library is there. */
  probe: [interpreter: string, option: string, program: string];
  script: string;
}

export const debianLibraries: DebianLibrary[] = [
  {
    row: 'Python: PyJWT 2 with cryptography',
    package: 'python3-jwt',
    algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    probe: ['python3', '-c', 'import jwt, cryptography'],
    script: 'test/verifiers/verify_pyjwt.py',
  },
  {
    row: 'Python: Authlib 1',
    package: 'python3-authlib',
    algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    probe: ['python3', '-c', 'import authlib.jose'],
    script: 'test/verifiers/verify_authlib.py',
  },
  {
    row: 'Ruby: jwt 2',
    package: 'ruby-jwt',
    algorithms: ['ES256', 'RS256', 'PS256'],
    probe: ['ruby', '-e', 'require "jwt"'],
    script: 'test/verifiers/verify_ruby_jwt.rb',
  },
];

export const isInstalled = ({ probe: [interpreter, ...program] }: DebianLibrary) =>
  run(interpreter, program, { env: ENV }).then(
    () => true,
    () => false,
  );

/** A line for each token: `sub` and the subject, or `refused` and the name of the error. */
export async function verdicts(
  { probe: [interpreter], script }: DebianLibrary,
  trust: Trust,
  tokens: string[],
): Promise<string[]> {
  const asked = run(interpreter, [script], { env: ENV });
  asked.child.stdin?.end(JSON.stringify({ ...trust, tokens }));
  return (await asked).stdout.trim().split('\n');
}

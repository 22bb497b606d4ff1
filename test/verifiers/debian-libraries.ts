import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from '../../src/schemas/jwk.ts';
import type { Trust } from './issuer.ts';

const run = promisify(execFile);

/** Debian's own interpreters and compiler, which know Debian's packages. */
export const ENV = {
  PATH: '/usr/bin:/bin',
  GO111MODULE: 'off',
  GOPATH: '/usr/share/gocode',
  GOCACHE: resolve('node_modules/.cache/latchkey-go'),
};

type Command = [program: string, ...words: string[]];

export interface DebianLibrary {
  /** Its row in the table of .github/VERIFYING.md. */
  row: string;
  package: string;
  algorithms: readonly SigningAlgorithm[];
  /** A command that succeeds if the library is there. */
  probe: Command;
  verify: Command;
}

export const debianLibraries: DebianLibrary[] = [
  {
    row: 'Python: PyJWT 2 with cryptography',
    package: 'python3-jwt',
    algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    probe: ['python3', '-c', 'import jwt, cryptography'],
    verify: ['python3', 'test/verifiers/verify_pyjwt.py'],
  },
  {
    row: 'Python: Authlib 1',
    package: 'python3-authlib',
    algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    probe: ['python3', '-c', 'import authlib.jose'],
    verify: ['python3', 'test/verifiers/verify_authlib.py'],
  },
  {
    row: 'Ruby: jwt 2',
    package: 'ruby-jwt',
    algorithms: ['ES256', 'RS256', 'PS256'],
    probe: ['ruby', '-e', 'require "jwt"'],
    verify: ['ruby', 'test/verifiers/verify_ruby_jwt.rb'],
  },
  {
    row: 'Go: golang-jwt 4 with go-jose 2',
    package: 'golang-github-golang-jwt-jwt-dev',
    algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    probe: ['go', 'list', 'github.com/golang-jwt/jwt', 'gopkg.in/square/go-jose.v2'],
    verify: ['go', 'run', 'test/verifiers/verify_golang_jwt.go'],
  },
  {
    row: 'Go: go-jose 2',
    package: 'golang-gopkg-square-go-jose.v2-dev',
    algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    probe: ['go', 'list', 'gopkg.in/square/go-jose.v2'],
    verify: ['go', 'run', 'test/verifiers/verify_go_jose.go'],
  },
];

export const isInstalled = ({ probe: [program, ...words] }: DebianLibrary) =>
  run(program, words, { env: ENV }).then(
    () => true,
    () => false,
  );

/** A line for each token: `sub` and the subject, or `refused` and the name of the error. */
export async function verdicts(
  { verify: [program, ...words] }: DebianLibrary,
  trust: Trust,
  tokens: string[],
): Promise<string[]> {
  const asked = run(program, words, { env: ENV });
  asked.child.stdin?.end(JSON.stringify({ ...trust, tokens }));
  return (await asked).stdout.trim().split('\n');
}

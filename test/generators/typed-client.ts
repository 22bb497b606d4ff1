/** The calls of the walk. What a generated client says of its answers must fit these types, without a cast. */
export interface TypedClient {
  register(account: { email: string; password: string; name: string }): Promise<Tokens>;
  logIn(credentials: { email: string; password: string }): Promise<Tokens>;
  refresh(refreshToken: string, idempotencyKey: string): Promise<Tokens>;
  whoami(access: string): Promise<{ sub: string; sid: string; roles: string[]; exp: number }>;
  sessions(access: string): Promise<{ id: string; current: boolean; transport: Transport }[]>;
  changePassword(
    access: string,
    change: { current_password: string; new_password: string },
  ): Promise<Tokens>;
  users(access: string, page: { limit: number; cursor?: string }): Promise<Page>;
  createServiceAccount(
    access: string,
    account: { name: string; roles: string[]; password: string },
  ): Promise<{ client_id: string; client_secret: string }>;
  clientCredentials(
    client: { client_id: string; client_secret: string },
    scope: string,
  ): Promise<{ access_token: string; expires_in: number; scope?: string }>;
  logOut(access: string): Promise<void>;
}

type Transport = 'body' | 'cookie';

interface Tokens {
  access_token: string;
  token_type: 'Bearer' | 'DPoP';
  refresh_token?: string;
  refresh_after: number;
  session_id: string;
}

interface Page {
  users: { id: string; email: string; name: string | null; status: 'active' | 'disabled' }[];
  next_cursor: string | null;
}

/** An answer that is no success, with what the generated client made of its body. */
export class Refused extends Error {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly problem: { code: string; detail: string } | undefined;

  constructor({ status, headers }: Response, problem: Refused['problem']) {
    super(`${status} ${problem?.code}`);
    this.status = status;
    this.retryAfter = headers.get('retry-after');
    this.problem = problem;
  }
}

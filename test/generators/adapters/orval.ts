import * as api from './latchkey.ts';
import { Refused, type TypedClient } from './typed-client.ts';

const bearer = (access: string) => ({ headers: { Authorization: `Bearer ${access}` } });

interface Answer {
  status: number;
  headers: Headers;
  data: unknown;
}

/** The body of this answer, if it has the status of a success. */
function dataOf<Of extends Answer, Status extends Of['status']>(
  answer: Of,
  status: Status,
): Extract<Of, { status: Status }>['data'] {
  if (answer.status === status) return answer.data as Extract<Of, { status: Status }>['data'];
  throw refused(answer);
}

function refused({ status, headers, data }: Answer): Refused {
  const problem = data as api.Problem | api.OAuthProblem;
  return new Refused(
    new Response(null, { status, headers }),
    'code' in problem ? problem : { code: problem.error, detail: problem.error_description },
  );
}

export const typedClient = (): TypedClient => ({
  register: async (body) => dataOf(await api.register(body), 201),
  logIn: async (body) => {
    const answer = await api.login(body);
    // @ts-expect-error: no operation refuses with this code, and the type knows it.
    if (answer.status === 401 && answer.data.code === 'no_such_code') throw new Error('another');
    return dataOf(answer, 200);
  },
  refresh: async (refresh_token, key) =>
    dataOf(await api.refresh({ refresh_token }, { headers: { 'Idempotency-Key': key } }), 200),
  whoami: async (access) => dataOf(await api.whoami(bearer(access)), 200),
  sessions: async (access) => dataOf(await api.listSessions(bearer(access)), 200).sessions,
  changePassword: async (access, body) =>
    dataOf(await api.changePassword(body, bearer(access)), 200),
  users: async (access, page) => dataOf(await api.listUsers(page, bearer(access)), 200),
  createServiceAccount: async (access, body) =>
    dataOf(await api.createServiceAccount(body, bearer(access)), 201),
  clientCredentials: async (client, scope) =>
    dataOf(await api.issueToken({ grant_type: 'client_credentials', scope, ...client }), 200),
  logOut: async (access) => dataOf(await api.logout(undefined, bearer(access)), 204),
});

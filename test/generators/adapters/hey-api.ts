import { type Auth, createClient } from './latchkey/client/index.js';
import * as api from './latchkey/sdk.gen.js';
import type { OAuthProblem, Problem } from './latchkey/types.gen.js';
import { Refused, type TypedClient } from './typed-client.ts';

interface Answer<Data> {
  data: Data | undefined;
  error: Problem | OAuthProblem | undefined;
  response?: Response;
}

function dataOf<Data>({ data, error, response }: Answer<Data>): Data {
  if (response === undefined) throw new Error('the service did not answer');
  if (error === undefined) return data as Data;
  throw new Refused(
    response,
    'code' in error ? error : { code: error.error, detail: error.error_description },
  );
}

export function typedClient(baseUrl: string): TypedClient {
  const client = createClient({ baseUrl });
  // A function: a text would be sent for each scheme of the operation, as the refresh cookie too.
  const as = (token: string) => ({
    client,
    auth: ({ type }: Auth) => (type === 'http' ? token : undefined),
  });
  return {
    register: async (body) => {
      const tokens = dataOf(await api.register({ client, body }));
      if ('access_token' in tokens) return tokens;
      throw new Error(tokens.detail);
    },
    logIn: async (body) => {
      const answer = await api.login({ client, body });
      // @ts-expect-error: no operation refuses with this code, and the type knows it.
      if (answer.error?.code === 'no_such_code') throw new Error('another contract');
      const tokens = dataOf(answer);
      if ('access_token' in tokens) return tokens;
      throw new Error(`a challenge: ${tokens.methods}`);
    },
    refresh: async (refresh_token, key) =>
      dataOf(
        await api.refresh({ client, body: { refresh_token }, headers: { 'idempotency-key': key } }),
      ),
    whoami: async (access) => dataOf(await api.whoami(as(access))),
    sessions: async (access) => dataOf(await api.listSessions(as(access))).sessions,
    changePassword: async (access, body) =>
      dataOf(await api.changePassword({ ...as(access), body })),
    users: async (access, query) => dataOf(await api.listUsers({ ...as(access), query })),
    createServiceAccount: async (access, body) =>
      dataOf(await api.createServiceAccount({ ...as(access), body })),
    clientCredentials: async ({ client_id, client_secret }, scope) =>
      dataOf(
        await api.issueToken({
          ...as(`${client_id}:${client_secret}`),
          body: { grant_type: 'client_credentials', scope },
        }),
      ),
    logOut: async (access) => {
      dataOf(await api.logout(as(access)));
    },
  };
}

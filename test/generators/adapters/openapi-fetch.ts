import createApi from 'openapi-fetch';
import type { components, paths } from './latchkey.d.ts';
import { Refused, type TypedClient } from './typed-client.ts';

type Problem = components['schemas']['Problem'];
type OAuthProblem = components['schemas']['OAuthProblem'];

interface Answer<Data> {
  data?: Data | undefined;
  error?: Problem | OAuthProblem | undefined;
  response: Response;
}

function dataOf<Data>({ data, error, response }: Answer<Data>): NonNullable<Data> {
  if (data) return data;
  throw new Refused(
    response,
    error && 'code' in error
      ? error
      : error && { code: error.error, detail: error.error_description },
  );
}

const bearer = (access: string) => ({ headers: { Authorization: `Bearer ${access}` } });

export function typedClient(baseUrl: string): TypedClient {
  const api = createApi<paths>({ baseUrl });
  return {
    register: async (body) => {
      const tokens = dataOf(await api.POST('/v1/register', { body }));
      if ('access_token' in tokens) return tokens;
      throw new Error(tokens.detail);
    },
    logIn: async (body) => {
      const answer = await api.POST('/v1/login', { body });
      // @ts-expect-error: no operation refuses with this code, and the type knows it.
      if (answer.error?.code === 'no_such_code') throw new Error('another contract');
      const tokens = dataOf(answer);
      if ('access_token' in tokens) return tokens;
      throw new Error(`a challenge: ${tokens.methods}`);
    },
    refresh: async (refresh_token, key) =>
      dataOf(
        await api.POST('/v1/refresh', {
          params: { header: { 'idempotency-key': key } },
          body: { refresh_token },
        }),
      ),
    whoami: async (access) => dataOf(await api.GET('/v1/whoami', bearer(access))),
    sessions: async (access) => dataOf(await api.GET('/v1/me/sessions', bearer(access))).sessions,
    changePassword: async (access, body) =>
      dataOf(await api.PUT('/v1/me/password', { ...bearer(access), body })),
    users: async (access, query) =>
      dataOf(await api.GET('/v1/users', { ...bearer(access), params: { query } })),
    createServiceAccount: async (access, body) =>
      dataOf(await api.POST('/v1/service-accounts', { ...bearer(access), body })),
    clientCredentials: async ({ client_id, client_secret }, scope) =>
      dataOf(
        await api.POST('/oauth/token', {
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: { grant_type: 'client_credentials', client_id, client_secret, scope },
        }),
      ),
    logOut: async (access) => {
      const { error, response } = await api.POST('/v1/logout', bearer(access));
      if (error) throw new Refused(response, error);
    },
  };
}

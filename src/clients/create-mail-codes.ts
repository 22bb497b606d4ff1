import type * as client from './client.d.ts';
import type * as declared from './client-mail-codes.d.ts';

export const createMailCodes: typeof declared.createMailCodes = ({
  core: { send, device, signIn },
}: client.Client) => ({
  send: async (email) => {
    const { answer } = await send('v1/login/code', { body: { email, ...(await device()) } });
    return answer as declared.SentCode;
  },
  signIn: async ({ code_token }, code) => {
    const answer = await signIn('v1/login/code/verify', { code_token, code });
    return typeof answer === 'object' ? answer : undefined;
  },
});

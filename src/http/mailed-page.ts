import type { Config } from '../config.ts';
import { escaped } from '../parts/mail/letter.ts';
import { page } from './page.ts';

interface MailedPage {
  title: string;
  /** The request that an application's page would send. Must not contain a single quote: it is shown as a shell command. */
  path: string;
  body: { token?: typeof TOKEN } & Record<string, string>;
  /** What the response means. */
  outcome: string;
}

/** Placeholder for the token in the link's fragment, which the server never receives. */
export const TOKEN = 'TOKEN';

/** Without an application (`APP_URL` equals `ISSUER`), mailed links lead to the service itself. */
export const servesPages = ({ APP_URL, ISSUER }: Config): boolean => APP_URL === ISSUER;

const aboutToken = `<p>Replace <code>${TOKEN}</code> with the text after <code>#token=</code> in the address of this page.</p>\n`;

/** The page behind a mailed link when there is no application with a form: shows the request to send. */
export function mailedPage(
  { ISSUER, PRODUCT_NAME }: Config,
  { title, path, body, outcome }: MailedPage,
): string {
  const lines = [
    `curl ${ISSUER}${path} \\`,
    `-H 'Content-Type: application/json' \\`,
    `-d '${JSON.stringify(body)}'`,
  ];
  return page({
    title,
    product: PRODUCT_NAME,
    body: `<p>This page has no form yet. Run this command instead:</p>
<p><code>${lines.map(escaped).join('<br>')}</code></p>
${body.token ? aboutToken : ''}<p>${escaped(outcome)}</p>
<p>To send people to your application instead, set <code>APP_URL</code>.
<a href="${escaped(ISSUER)}/docs">Try the API in your browser</a></p>`,
  });
}

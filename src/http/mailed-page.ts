import type { Config } from '../config.ts';
import { escaped } from '../parts/mail/letter.ts';
import { page } from './page.ts';

interface MailedPage {
  title: string;
  /** The request that a page of an application would send. Nothing in it has a single quote: it is shown for a shell. */
  path: string;
  body: { token?: typeof TOKEN } & Record<string, string>;
  /** What its answer means. */
  outcome: string;
}

/** Stands for the token of the link, which is in the fragment: this server never sees it. */
export const TOKEN = 'TOKEN';

/** With no application of its own (`APP_URL`), a deployment has the mailed links lead to the service itself. */
export const servesPages = ({ APP_URL, ISSUER }: Config): boolean => APP_URL === ISSUER;

const aboutToken = `<p>In place of <code>${TOKEN}</code> put what follows <code>#token=</code> in the address of this page.</p>\n`;

/** Stands in for the form that an application has behind a mailed link: says what to send. */
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
    body: `<p>There is no form here yet. Send this:</p>
<p><code>${lines.map(escaped).join('<br>')}</code></p>
${body.token ? aboutToken : ''}<p>${escaped(outcome)}</p>
<p>To have mailed links lead to your application, set <code>APP_URL</code>.
<a href="${escaped(ISSUER)}/docs">All routes, to try</a></p>`,
  });
}

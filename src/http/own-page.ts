import type { FastifyReply } from 'fastify';
import type { Config } from '../config.ts';
import { escaped } from '../parts/mail/letter.ts';
import { basePath } from './base-path.ts';
import { VIEWPORT } from './page.ts';
import { importsOf, pageContent, pageFiles } from './page-files.ts';

/**
 * Scripts, styles and requests of this server alone. No script can make HTML or code of a text (`trusted-types`), and no
 * form is sent without its script, which would put a password into the address.
 */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

interface OwnPage {
  /** Of its files in `src/pages/`: `NAME.html`, the main part, and `NAME.js`, the script. */
  name: string;
  title: string;
  /** `narrow` (the default) for one form, `medium` for cards, `wide` for tables. */
  width?: 'narrow' | 'medium' | 'wide';
  hasScript?: boolean;
}

/** Without an application (`APP_URL` equals `ISSUER`), the service's own pages stand in for it. */
export const servesPages = ({ APP_URL, ISSUER }: Config): boolean => APP_URL === ISSUER;

/** Replaces `{{NAME}}` with one of the settings that a page may show, and `{{base}}` with the path of the service. */
function filled(html: string, config: Config): string {
  const { ISSUER, APP_URL, PRODUCT_NAME, SIGN_UP, PASSWORD_MIN_LENGTH, PROVIDERS } = config;
  const values = {
    base: basePath(config),
    ISSUER,
    APP_URL,
    PRODUCT_NAME,
    SIGN_UP,
    PASSWORD_MIN_LENGTH,
    PROVIDERS: JSON.stringify(PROVIDERS.map(({ slot, name }) => ({ provider: slot, name }))),
  };
  return html.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: keyof typeof values) =>
    escaped(String(values[name])),
  );
}

/** The HTML of a page of the service: its content in the frame that all pages share. */
function ownPage(
  config: Config,
  { name, title, width = 'narrow', hasScript = true }: OwnPage,
): string {
  const { files, version } = pageFiles(config);
  const directory = `{{base}}/pages/${version}`;
  const scripts = () =>
    [
      ...[...importsOf(`${name}.js`, files)].map(
        (file) => `<link rel="modulepreload" href="${directory}/${file}">\n`,
      ),
      `<script type="module" src="${directory}/${name}.js"></script>\n`,
    ].join('');
  const noScript =
    '<noscript><p class="notice error">This page needs JavaScript. Switch it on, then reload the page.</p></noscript>\n';
  const frame = `<!doctype html>
<html lang="en" data-product="{{PRODUCT_NAME}}" data-sign-up="{{SIGN_UP}}" data-password-min-length="{{PASSWORD_MIN_LENGTH}}" data-providers="{{PROVIDERS}}">
<head>
<meta charset="utf-8">
${VIEWPORT}
<meta name="color-scheme" content="light dark">
<title>${title} – {{PRODUCT_NAME}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${directory}/style.css">
${hasScript ? scripts() : ''}</head>
<body class="${width}">
<header>
<a class="brand" href="{{base}}/">{{PRODUCT_NAME}}</a>
<nav id="nav" aria-label="Pages" hidden></nav>
</header>
<main>
${hasScript ? noScript : ''}<div id="notices" role="status" aria-live="polite"></div>
${pageContent(name)}
</main>
</body>
</html>
`;
  return filled(frame, config);
}

/** The handler that sends a page of the service. The page is made once. */
export function sendsPage(config: Config, page: OwnPage) {
  const html = ownPage(config, page);
  return async (_request: unknown, reply: FastifyReply) =>
    reply.header('content-security-policy', CSP).type('text/html; charset=utf-8').send(html);
}

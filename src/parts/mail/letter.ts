import type { Config } from '../../config.ts';

interface Action {
  label: string;
  link: string;
}

/** The content of a mail, without its layout. */
export interface Letter {
  subject: string;
  /** The first says what happened, the others what to do about it. */
  paragraphs: string[];
  action?: Action;
  /** What to do if the recipient knows nothing of it. */
  otherwise?: Action;
}

/** The service's name and address, for letters that the recipient did not ask for. */
export type Product = Pick<Config, 'APP_URL' | 'PRODUCT_NAME'>;

/** Escapes text for HTML. */
export const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** Renders a letter as plain text and HTML, signed with the product's name. The HTML loads nothing remote. */
export function render(
  { paragraphs, action, otherwise }: Letter,
  product: string,
): { text: string; html: string } {
  const actions = [action, otherwise].filter((each) => each !== undefined);
  const text = [
    ...paragraphs,
    ...actions.map(({ label, link }) => `${label}:\n${link}`),
    `-- \n${product}`,
  ].join('\n\n');
  const links = actions.map(
    ({ label, link }) => `<p><a href="${escaped(link)}">${escaped(label)}</a></p>`,
  );
  const html = `<!doctype html>
<html lang="en">
<body style="font-family: sans-serif; line-height: 1.5">
${paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n')}
${links.join('\n')}
<p style="color: #666">${escaped(product)}</p>
</body>
</html>
`;
  return { text, html };
}

import type { Config } from '../../config.ts';

/** The content of a mail, without its layout. */
export interface Letter {
  subject: string;
  /** The first says what happened, the others what to do about it. */
  paragraphs: string[];
  action?: { label: string; link: string };
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
  { paragraphs, action }: Letter,
  product: string,
): { text: string; html: string } {
  const link = action?.link;
  const text = [
    ...paragraphs,
    ...(action ? [`${action.label}:\n${link}`] : []),
    `-- \n${product}`,
  ].join('\n\n');
  const button = action && `<p><a href="${escaped(action.link)}">${escaped(action.label)}</a></p>`;
  const html = `<!doctype html>
<html lang="en">
<body style="font-family: sans-serif; line-height: 1.5">
${paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n')}
${button ?? ''}
<p style="color: #666">${escaped(product)}</p>
</body>
</html>
`;
  return { text, html };
}

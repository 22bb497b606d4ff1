import type { Config } from '../../config.ts';

/** What a mail says, apart from how it looks. */
export interface Letter {
  subject: string;
  /** The first says what happened, the rest what to do about it. */
  paragraphs: string[];
  action?: { label: string; link: string };
}

/** What the letters that come unasked call the service, and where they lead. */
export type Product = Pick<Config, 'APP_URL' | 'PRODUCT_NAME'>;

/** Text as HTML. */
export const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** Plain text and HTML of a letter, signed by the product, without anything to load from elsewhere. */
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

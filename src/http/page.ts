import { escaped } from '../parts/mail/letter.ts';

/** Without it a phone shows a page as wide as a desk's, and everything too small to read. */
export const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">';

interface Page {
  /** Text. */
  title: string;
  product: string;
  /** HTML. */
  body: string;
}

/** A page for people. It loads nothing: the content security policy of the service allows nothing. */
export const page = ({ title, product, body }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${VIEWPORT}
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} – ${escaped(product)}</title>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</body>
</html>
`;

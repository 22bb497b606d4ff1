import { escaped } from '../parts/mail/letter.ts';

/** Without it phones render pages at desktop width, with text too small to read. */
export const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">';

interface Page {
  /** Text. */
  title: string;
  product: string;
  /** HTML. */
  body: string;
}

/** An HTML page. It loads nothing, because the content security policy forbids it. */
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

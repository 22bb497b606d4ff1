import { escaped } from '../mail/letter.ts';

/** Without it a phone shows a page as wide as a desk's, and everything too small to read. */
export const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">';

interface Page {
  /** Text. */
  title: string;
  product: string;
  /** HTML. */
  body: string;
}

/** A page for people, which loads nothing. */
export const page = ({ title, product, body }: Page): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
${VIEWPORT}
<title>${escaped(title)} – ${escaped(product)}</title>
${body}
`;

/** What a mail says, apart from how it looks. */
export interface Letter {
  subject: string;
  /** The first says what happened, the rest what to do about it. */
  paragraphs: string[];
  action?: { label: string; link: string };
}

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const SIGNATURE = 'Latchkey';

/** Plain text and HTML of a letter, without anything to load from elsewhere. */
export function render({ paragraphs, action }: Letter): { text: string; html: string } {
  const link = action?.link;
  const text = [
    ...paragraphs,
    ...(action ? [`${action.label}:\n${link}`] : []),
    `-- \n${SIGNATURE}`,
  ].join('\n\n');
  const button = action && `<p><a href="${escaped(action.link)}">${escaped(action.label)}</a></p>`;
  const html = `<!doctype html>
<html lang="en">
<body style="font-family: sans-serif; line-height: 1.5">
${paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n')}
${button ?? ''}
<p style="color: #666">${SIGNATURE}</p>
</body>
</html>
`;
  return { text, html };
}

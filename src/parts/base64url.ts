/** The bytes of base64url in its one spelling (RFC 4648 section 3.5). undefined: padding, unused bits, or other letters. */
export function bytesOfBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/**
 * The canonical form of a password (RFC 8265 section 4.2, OpaqueString). Every kind of space becomes U+0020, including
 * the no-break space that a Mac types with Option+Space. Then NFC, so that keyboards that compose characters
 * differently give the same password. Characters that the RFC disallows are refused in new passwords only
 * (`new-password.ts`), so that no user loses an account.
 */
export const opaque = (password: string): string =>
  password.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');

/**
 * The forms in which a password may have been hashed: today's, that of earlier versions (NFC only), and as typed,
 * which other systems use. Nearly every password has only one form.
 */
export const formsOf = (password: string): string[] => [
  ...new Set([opaque(password), password.normalize('NFC'), password]),
];

/**
 * The one form of a password (RFC 8265 section 4.2, OpaqueString): every kind of space is a space, so that the
 * no-break space that a Mac types with Option held down is one too; then NFC, so that every keyboard's spelling is
 * the same password. The RFC also refuses characters: that is for new passwords (`new-password.ts`), as nobody may
 * lose an account by it.
 */
export const opaque = (password: string): string =>
  password.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');

/**
 * The forms in which a password may have been hashed: today's, that of earlier versions (NFC alone), and as it was
 * typed, which is how other systems take it. They are one and the same for nearly every password.
 */
export const formsOf = (password: string): string[] => [
  ...new Set([opaque(password), password.normalize('NFC'), password]),
];

/** The slots for outside providers. A slot's number is that of its column in the row, so it never changes. */
export const SLOTS = ['1', '2', '3', '4'] as const;
export type Slot = (typeof SLOTS)[number];

export const isSlot = (text: string): text is Slot => SLOTS.some((slot) => slot === text);

/** The column of the account at the provider in this slot. */
export type IdentityColumn = `identity_${Slot}`;

export const IDENTITY_COLUMNS = SLOTS.map((slot) => `identity_${slot}` as const);

/** Linked with no provider. */
export const NO_IDENTITIES = Object.fromEntries(
  IDENTITY_COLUMNS.map((column) => [column, null]),
) as Record<IdentityColumn, null>;

import type { Issuer } from './issuer.ts';

/** Tokens are rows: one that the database has lost, or never had, is unknown. */
interface Family {
  current: number;
  /** When each generation was rotated (ms). */
  rotatedAt: number[];
  isEnded: boolean;
}

interface Policy {
  name: string;
  /** Whether a spent token gets the newest one again. `behind`: how many generations; `age`: ms since it was rotated. */
  repeats(spent: { behind: number; age: number }): boolean;
}

const withGrace = (seconds: number): Policy => ({
  name: `${seconds} s of grace`,
  repeats: ({ age }) => age <= seconds * 1_000,
});

/** How others treat a refresh token that is used again. */
export const POLICIES: Policy[] = [
  { name: 'strict: each token once', repeats: () => false },
  withGrace(3),
  withGrace(10),
  withGrace(30),
  { name: 'one generation behind, for ever', repeats: ({ behind }) => behind === 1 },
];

/** The same clients can use this in place of the real issuer. */
export function issuerOf({ name, repeats }: Policy, clock: () => number): Issuer {
  let families: Family[] = [];
  let standby: Family[] = [];
  return {
    name,
    signIn: async () => {
      families.push({ current: 0, rotatedAt: [], isEnded: false });
      return `${families.length - 1}.0`;
    },
    refresh: async ({ token }) => {
      const [index, generation] = token.split('.').map(Number) as [number, number];
      const family = families[index];
      if (!family || family.isEnded || generation > family.current) return { outcome: 'refused' };
      const rotatedAt = family.rotatedAt[generation];
      if (rotatedAt === undefined) {
        family.rotatedAt.push(clock());
        family.current += 1;
        return { outcome: 'rotated', token: `${index}.${family.current}` };
      }
      const spent = { behind: family.current - generation, age: clock() - rotatedAt };
      if (repeats(spent)) return { outcome: 'repeated', token: `${index}.${family.current}` };
      family.isEnded = true;
      return { outcome: 'refused' };
    },
    replicate: () => {
      standby = structuredClone(families);
    },
    failOver: () => {
      families = structuredClone([...standby, ...families.slice(standby.length)]);
    },
    close: async () => {},
  };
}

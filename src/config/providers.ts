import { z } from 'zod';
import { SLOTS, type Slot } from '../schemas/slots.ts';
import { list, productName, providerIssuer } from './values.ts';

const none = '(none)';

/** The variables of one slot, without `OIDC_1_` to `OIDC_4_`. */
const slotShape = {
  ISSUER: providerIssuer.optional().meta({
    description:
      'OpenID Connect provider that signs in here: its issuer, letter by letter; in production: https. Never change it: its users would be lost. `OIDC_2_…` to `OIDC_4_…` are for three more',
    fallback: none,
  }),
  NAME: productName
    .optional()
    .meta({ description: 'what the pages call it', fallback: 'the host of its issuer' }),
  CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'the ID that it has given this service', fallback: none }),
  CLIENT_SECRET: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'the secret for it; never printed', fallback: none }),
  SCOPES: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/, {
      error: 'must be scopes, separated by single spaces',
      abort: true,
    })
    .refine((text) => text.split(' ').includes('openid'), { error: 'must contain openid' })
    .optional()
    .meta({
      description: 'what it is asked for; new accounts need `email`',
      fallback: '`openid email profile`',
    }),
  ID_TOKEN_AUDIENCES: list.optional().meta({
    description:
      'client IDs of your apps, separated by commas: ID tokens that it has issued to them sign in, too',
    fallback: none,
  }),
};
type SlotShape = typeof slotShape;

/** What `OIDC_1_…` to `OIDC_4_…` may be. */
export const providerVariables = Object.fromEntries(
  SLOTS.flatMap((slot) =>
    Object.entries(slotShape).map(([name, schema]) => [`OIDC_${slot}_${name}`, schema]),
  ),
) as {
  [Name in keyof SlotShape as `OIDC_${Slot}_${Name}`]: SlotShape[Name];
};

type Variables = { [Name in keyof typeof providerVariables]?: unknown };

/** The value of a variable of a slot. */
const settingOf = (variables: Variables, slot: Slot, name: keyof SlotShape) =>
  variables[`OIDC_${slot}_${name}`];

export interface ProviderSettings {
  slot: Slot;
  issuer: string;
  name: string;
  clientId: string;
  clientSecret: string | undefined;
  scopes: string;
  /** To whom ID tokens may be issued that apps send. */
  audiences: string[];
}

/** The providers that are configured, by slot. */
export const providersIn = (variables: Variables): ProviderSettings[] =>
  SLOTS.flatMap((slot) => {
    const issuer = settingOf(variables, slot, 'ISSUER') as string | undefined;
    return issuer === undefined
      ? []
      : [
          {
            slot,
            issuer,
            name:
              (settingOf(variables, slot, 'NAME') as string | undefined) ?? new URL(issuer).host,
            clientId: settingOf(variables, slot, 'CLIENT_ID') as string,
            clientSecret: settingOf(variables, slot, 'CLIENT_SECRET') as string | undefined,
            scopes:
              (settingOf(variables, slot, 'SCOPES') as string | undefined) ??
              'openid email profile',
            audiences:
              (settingOf(variables, slot, 'ID_TOKEN_AUDIENCES') as string[] | undefined) ?? [],
          },
        ];
  });

/** Any organization can give its users any address there, so such a slot would trust them all. */
const ANY_TENANT = /^https:\/\/login\.microsoftonline\.com\/(common|organizations)\b/;

/** What is wrong with the slots, one line per mistake. */
export function providerMistakes(variables: Variables, isProduction: boolean): string[] {
  const issuers = new Set<unknown>();
  return SLOTS.flatMap((slot) => {
    const own = `OIDC_${slot}_ISSUER`;
    const issuer = settingOf(variables, slot, 'ISSUER') as string | undefined;
    if (issuer === undefined)
      return Object.keys(slotShape)
        .filter((name) => settingOf(variables, slot, name as keyof SlotShape) !== undefined)
        .map((name) => `OIDC_${slot}_${name} needs ${own}`);
    const mistakes: string[] = [];
    if (settingOf(variables, slot, 'CLIENT_ID') === undefined)
      mistakes.push(`${own} needs OIDC_${slot}_CLIENT_ID`);
    if (isProduction && !issuer.startsWith('https://'))
      mistakes.push(`${own} must be https in production`);
    if (ANY_TENANT.test(issuer))
      mistakes.push(`${own} must name one tenant of Microsoft by its ID, not all of them`);
    if (issuers.has(issuer)) mistakes.push(`${own} must not be the issuer of another slot`);
    issuers.add(issuer);
    return mistakes;
  });
}

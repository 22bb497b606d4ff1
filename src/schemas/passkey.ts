import { z } from 'zod';
import { Name, Resource, Time, Token } from './fields.ts';
import { TransportChoice } from './session.ts';
import { Assertion, CreationOptions, Registration, RequestOptions } from './webauthn.ts';

const SAMPLE = Assertion.meta()?.examples as unknown[];
const NEW_SAMPLE = Registration.meta()?.examples as unknown[];
const REQUEST_SAMPLE = RequestOptions.meta()?.examples as unknown[];
const CREATION_SAMPLE = CreationOptions.meta()?.examples as unknown[];

const ExpiresIn = z.int().min(0).describe('Seconds until the challenge expires.');

export const PasskeyRequestAnswer = z
  .object({ options: RequestOptions, expires_in: ExpiresIn })
  .meta({
    id: 'PasskeyRequestAnswer',
    description: 'Options to use a passkey.',
    examples: [{ options: REQUEST_SAMPLE[0], expires_in: 300 }],
  });

export const PasskeyCreationAnswer = z
  .object({ options: CreationOptions, expires_in: ExpiresIn })
  .meta({
    id: 'PasskeyCreationAnswer',
    description: 'Options to make a passkey.',
    examples: [{ options: CREATION_SAMPLE[0], expires_in: 300 }],
  });

export const PasskeySignIn = z
  .strictObject({
    passkey: Assertion,
    transport: TransportChoice,
    device_token: Token.optional().describe('The one from an earlier sign-in on this device.'),
    resource: Resource.optional(),
  })
  .meta({
    id: 'PasskeySignIn',
    description: 'A passkey that signs in.',
    examples: [{ passkey: SAMPLE[0] }],
  });

export const NewPasskey = z
  .strictObject({ passkey: Registration, name: Name.default('Passkey') })
  .meta({
    id: 'NewPasskey',
    description: 'A passkey to add, and how to call it.',
    examples: [{ passkey: NEW_SAMPLE[0], name: 'My phone' }],
  });

export const PasskeyName = z
  .strictObject({ name: Name })
  .meta({ id: 'PasskeyName', description: 'A name.', examples: [{ name: 'My phone' }] });

export const PasskeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    backed_up: z.boolean().describe('Whether it is on other devices of its owner too.'),
    transports: z.array(z.string()),
    created_at: Time,
    last_used_at: Time.nullable(),
  })
  .meta({
    id: 'Passkey',
    description: 'One of your passkeys.',
    examples: [
      {
        id: 'q83vEjRWeJCrze8SNFZ4kA',
        name: 'My phone',
        backed_up: true,
        transports: ['internal'],
        created_at: '2026-11-23T18:00:00.000Z',
        last_used_at: null,
      },
    ],
  });

export const Passkeys = z.object({ passkeys: z.array(PasskeyView) }).meta({
  id: 'Passkeys',
  description: 'Your passkeys.',
  examples: [{ passkeys: PasskeyView.meta()?.examples }],
});

import type { ProviderSettings } from '../../config/providers.ts';
import type { Clock } from '../../rules/clock.ts';
import type { Issuers } from '../../rules/factors/factor.ts';
import { Refusal } from '../../rules/refusal.ts';
import { Provider } from './provider.ts';

/** The outside providers that are configured. */
export class Providers {
  /** By slot. */
  readonly #providers: Map<string, Provider>;
  readonly issuers: Issuers;

  constructor(settings: ProviderSettings[], clock: Clock) {
    this.#providers = new Map(settings.map((one) => [one.slot, new Provider(one, clock)]));
    this.issuers = new Map(settings.map(({ slot, issuer }) => [slot, issuer]));
  }

  /** Refuses with `not_found`. */
  in(slot: string): Provider {
    const provider = this.#providers.get(slot);
    if (provider === undefined) throw new Refusal('not_found');
    return provider;
  }

  /** The name of the provider in the slot, if there is one. */
  nameIn(slot: string): string | undefined {
    return this.#providers.get(slot)?.settings.name;
  }
}

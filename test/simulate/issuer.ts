export interface Presented {
  token: string;
  idempotencyKey: string;
  node: number;
  /** The thumbprint of the key that is proven with it. */
  jkt?: string;
}

export type Answer =
  | { outcome: 'rotated' | 'repeated'; token: string }
  | { outcome: 'refused' | 'unproven' };

/** What the clients and the thieves talk to. */
export interface Issuer {
  name: string;
  /** `jkt`: binds the session to the key with this thumbprint, if the policy knows how. */
  signIn(jkt?: string): Promise<string>;
  refresh(presented: Presented): Promise<Answer>;
  /** The standby has all that was written until now. */
  replicate(): void;
  /** The standby takes over: what was written since is lost. */
  failOver(): void;
  close(): Promise<void>;
}

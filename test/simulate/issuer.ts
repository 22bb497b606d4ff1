export interface Presented {
  token: string;
  idempotencyKey: string;
  node: number;
}

export type Answer = { outcome: 'rotated' | 'repeated'; token: string } | { outcome: 'refused' };

/** What the clients and the thieves talk to. */
export interface Issuer {
  name: string;
  signIn(): Promise<string>;
  refresh(presented: Presented): Promise<Answer>;
  /** The standby has all that was written until now. */
  replicate(): void;
  /** The standby takes over: what was written since is lost. */
  failOver(): void;
  close(): Promise<void>;
}

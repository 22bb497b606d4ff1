import { Peers, type Told } from '../../src/parts/peers.ts';

/** Two workers that hear each other at once, and what they told. */
export function linkedPeers(): [Peers, Peers, Told[]] {
  const told: Told[] = [];
  const pass = (to: () => Peers) => (news: Told) => {
    told.push(news);
    to().receive(structuredClone(news));
  };
  const one: Peers = new Peers(pass(() => two));
  const two: Peers = new Peers(pass(() => one));
  return [one, two, told];
}

/**
 * RFC 7638 thumbprints of private keys from public documents, which everyone knows. Keys that are refused for another
 * reason (another curve, too short, a readable secret) are not listed.
 */
export const publishedKeys: ReadonlySet<string> = new Set([
  'y_x3gCJnL6oKGBBIXScabduwxTVy2Wd2bzRVEUbdUzc', // RFC 7515 A.1, RFC 7517 A.3
  'IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8', // RFC 7515 A.2
  'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U', // RFC 7515 A.3
  'xtIsOV1FqKH77AI_A3jdTg5QfdabzqI-LNpYTPi0IgI', // RFC 7516 A.1
  'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s', // RFC 7517 A.2, EC
  'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs', // RFC 7517 A.2, RSA
  'D8R4-FeTJfzuDUy8bZ0c4hcwpul-Q11gCPs3mw6-R9Q', // RFC 7517 C.1
  '_GK0r6GCoJt9zcssg9lay4obIxgCq05ntiRymRHADSU', // RFC 7518 C, Alice
  'Vy57XrArUrW0NbpI12tEzDHABxMwrTh6HHXRenSpnCo', // RFC 7518 C, Bob
  '9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI', // RFC 7520 3.4
  'RtoRur_1Dir5M4wuOfqNkDYOf9O_4RJ-aHkTA75RLA8', // RFC 7520 3.5
  'h_jutvC-jg3Nwueq8LmdSybXykVsBwk4_5u5Y9JiS7E', // RFC 7520 5.1
  'tqsISrG_pUi4IXRd2S_IYFnja0Xy7cpZHwbDd3XIFbM', // RFC 7520 5.7
  'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', // RFC 8037 A.1
  '19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8', // jwt.io, ES256
  'oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY', // jwt.io, RS256 and PS256
]);

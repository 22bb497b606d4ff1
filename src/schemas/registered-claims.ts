/** The IANA registry "JSON Web Token Claims", as of June 2026. */
const JWT_CLAIMS = `
  iss sub aud exp nbf iat jti name given_name family_name middle_name nickname preferred_username profile picture website
  email email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at azp nonce
  auth_time at_hash c_hash acr amr sub_jwk cnf sip_from_tag sip_date sip_callid sip_cseq_num sip_via_branch orig dest mky
  events toe txn rph sid vot vtm attest origid act scope client_id may_act jcard at_use_nbr div opt vc vp sph ace_profile
  cnonce exi roles groups entitlements token_introspection eat_nonce ueid sueids oemid hwmodel hwversion oemboot dbgstat
  location eat_profile submods uptime bootcount bootseed dloas swname swversion manifests measurements measres intuse cdniv
  cdnicrit cdniip cdniuc cdniets cdnistt cdnistd sig_val_claims authorization_details verified_claims place_of_birth
  nationalities birth_family_name birth_given_name birth_middle_name salutation title msisdn also_known_as htm htu ath atc
  sub_id rcd rcdi crn msgi _claim_names _claim_sources rdap_allowed_purposes rdap_dnt_allowed geohash _sd ... _sd_alg
  sd_hash consumerPlmnId consumerSnpnId producerPlmnId producerSnpnId producerSnssaiList producerNsiList producerNfSetId
  producerNfServiceSetId sourceNfInstanceId analyticsIdList resOwnerId cmw jwks metadata constraints crit ref delegation
  logo_uri authority_hints trust_anchor_hints trust_marks trust_mark_issuers trust_mark_owners metadata_policy
  metadata_policy_crit source_endpoint keys trust_mark_type trust_chain trust_anchor status status_list ttl stpl vct
  vct#integrity s_hash`;

/** The IANA registry "OAuth Token Introspection Response" (RFC 7662 section 3.1), where it adds to the other. */
const INTROSPECTION_MEMBERS = 'active username token_type';

/** What this service has in its tokens, or may have, and JOSE header parameters that some libraries copy to the claims. */
const OWN_NAMES = 'ver gen dev was jkt typ alg kid cty';

/** What some verifiers read as roles or scopes: the roles of a user are in the token as `roles`, and nowhere else. */
const LIKE_ROLES = 'role admin scp scopes';

const REGISTERED = new Set(
  [JWT_CLAIMS, INTROSPECTION_MEMBERS, OWN_NAMES, LIKE_ROLES]
    .join(' ')
    .trim()
    .toLowerCase()
    .split(/\s+/),
);

/**
 * Whether no custom claim may have this name, in upper or lower case: some parsers, such as that of Go, take `Sub` for `sub`. If
 * you add a name here, users who have a custom claim of that name lose it with their next token.
 */
export const isRegistered = (name: string): boolean => REGISTERED.has(name.toLowerCase());

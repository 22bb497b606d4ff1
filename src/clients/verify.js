// The verifier of Latchkey, generated from src/clients. MIT License.
const MESSAGES={token_missing:'No access token was sent.',token_invalid:'The access token is not valid.',token_expired:'The access token has expired.',token_revoked:'The access token was revoked.',invalid_dpop_proof:'The proof is not valid.',issuer_away:'The access token cannot be checked now.'};
const challengeOf=(code)=>{if (code==='token_missing') return 'Bearer realm="access"';
const isProof=code==='invalid_dpop_proof';
const error=isProof?code:'invalid_token';
return `${isProof ? 'DPoP' : 'Bearer'} realm="access", error="${error}", error_description="${MESSAGES[code]}"`;};
class TokenError extends Error{code;
status;
headers;
reason;
constructor(code,reason){super(MESSAGES[code]);
const isAway=code==='issuer_away';
this.name='TokenError';
this.code=code;
this.status=isAway?503:401;
this.headers=isAway?{'Retry-After':'5'}:{'WWW-Authenticate':challengeOf(code)};
this.reason=reason;}
response(){const{status,code,message:title,headers}=this;
return new Response(JSON.stringify({type:'about:blank',title,status,code}),{status,headers:{...headers,'Content-Type':'application/problem+json','Cache-Control':'no-store'}});}}
const invalid=(reason)=>new TokenError('token_invalid',reason);
const FOREIGN=/[^\w-]/;
const TAIL=/^(?:|[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])$/;
const bytesOf=(segment)=>{if (FOREIGN.test(segment)||!TAIL.test(segment.slice(segment.length - (segment.length % 4))))
throw invalid('not base64url');
const text=atob(segment.replaceAll('-','+').replaceAll('_','/'));
const bytes=new Uint8Array(text.length);
for (let index=0;index<text.length;index +=1) bytes[index]=text.charCodeAt(index);
return bytes;};
const objectOf=(segment)=>{const bytes=bytesOf(segment);
let value;
try{value=JSON.parse(new TextDecoder('utf-8',{fatal:true,ignoreBOM:true}).decode(bytes));}catch{throw invalid('not JSON');}
if (typeof value!=='object'||value===null||Array.isArray(value))
throw invalid('not an object');
return value;};
const parsed=(token,typ)=>{const segments=token.split('.');
const [first='',second='',third='']=segments;
if (segments.length!==3) throw invalid('not three segments');
const header=objectOf(first);
if (typeof header['typ']!=='string'||!typ.test(header['typ'])) throw invalid('typ');
for (const name of ['crit','b64','zip']) if (name in header) throw invalid(name);
return{header,claims:objectOf(second),input:new TextEncoder().encode(`${first}.${second}`),signature:bytesOf(third)};};
const after=(milliseconds,work)=>{const timer=setTimeout(work,milliseconds);
(timer).unref?.();
return timer;};
const uptime=()=>performance.now();
const fetched=async ({fetch,url,headers={},type,timeout,limit,controller=new AbortController()})=>{const timer=after(timeout,()=>controller.abort());
try{const answer=await fetch(url,{headers:{Accept:type,...headers},redirect:'manual',signal:controller.signal});
const is=answer.headers.get('Content-Type')?.split(';')[0]?.trim();
if (answer.status!==200||is!==type||!answer.body)
throw new Error(`status ${answer.status}, ${is}`);
const reader=answer.body.getReader();
const decoder=new TextDecoder();
let text='';
let size=0;
let part=await reader.read();
while (part.value){size +=part.value.length;
if (size>limit) throw new Error('too long');
text +=decoder.decode(part.value,{stream:true});
part=await reader.read();}
return{text:text + decoder.decode(),headers:answer.headers};}finally{clearTimeout(timer);
controller.abort();}};
const ALGORITHMS={ES256:{name:'ECDSA',namedCurve:'P-256',hash:'SHA-256'},RS256:{name:'RSASSA-PKCS1-v1_5',hash:'SHA-256'},PS256:{name:'RSA-PSS',hash:'SHA-256',saltLength:32},EdDSA:{name:'Ed25519'}};
const LEAST_MODULUS=342;
const UNKNOWN_PAUSE=30_000;
const FAILURE_PAUSE=1_000;
const LEAST_AGE=30;
const USUAL_AGE=300;
const MOST_AGE=3_600;
const STALE=3_600_000;
const imported=async (jwk,algorithms)=>{const{kty,crv,x,y,n,e,use,key_ops}=jwk;
const alg=algorithms.find((name)=>name===jwk.alg);
if (!alg||(typeof n==='string'&&n.length<LEAST_MODULUS)) return undefined;
const publicPart={kty,crv,x,y,n,e,use,key_ops};
try{const key=await crypto.subtle.importKey('jwk',publicPart,ALGORITHMS[alg],false,['verify']);
return{alg,key};}catch{return undefined;}};
const isSigned=async ({alg,key},{input,signature})=>{const verifying=crypto.subtle.verify(ALGORITHMS[alg],key,signature,input);
const [verdict]=await Promise.allSettled([verifying]);
return (verdict).value===true;};
class IssuerKeys{#options;
#keys=new Map();
#freshUntil=Number.NEGATIVE_INFINITY;
#usableUntil=Number.NEGATIVE_INFINITY;
#askedAt=Number.NEGATIVE_INFINITY;
#hasFailed=false;
#asking;
constructor(options){this.#options=options;}
async check(jws){const{kid,alg}=jws.header;
if (typeof kid!=='string') throw invalid('kid');
const found=await this.#find(kid);
if (!found)
throw this.#hasFailed?new TokenError('issuer_away','old key set'):invalid('unknown kid');
if (alg!==found.alg) throw invalid('alg');
if (!(await isSigned(found,jws))) throw invalid('signature');}
async #find(kid){const now=uptime();
const sinceAsked=now - this.#askedAt;
if (now<this.#freshUntil){if (!this.#keys.has(kid)&&sinceAsked>=UNKNOWN_PAUSE) await this.#ask();}else if (now<this.#usableUntil&&this.#hasFailed){if (sinceAsked>=UNKNOWN_PAUSE) this.#ask().catch(()=>{});}else if (!this.#hasFailed||sinceAsked>=FAILURE_PAUSE||this.#asking){await this.#ask().catch((error)=>{if (uptime()>=this.#usableUntil) throw error;});}else{throw new TokenError('issuer_away','no key set');}
return this.#keys.get(kid);}
#ask(){if (this.#asking&&this.#options.shares) return this.#asking;
this.#askedAt=uptime();
const asking=this.#load().then(()=>{this.#hasFailed=false;
this.#asking=undefined;},(error)=>{this.#hasFailed=true;
this.#asking=undefined;
throw new TokenError('issuer_away',`key set: ${error}`);});
this.#asking=asking;
return asking;}
async #load(){const{issuer,algorithms,fetch}=this.#options;
const askedAt=this.#askedAt;
const url=`${issuer}/.well-known/jwks.json`;
const type='application/jwk-set+json';
const{text,headers}=await fetched({fetch,url,type,timeout:5_000,limit:65_536});
const keys=new Map();
for (const jwk of (JSON.parse(text) ).keys){const key=typeof jwk.kid==='string'?await imported(jwk,algorithms):undefined;
if (key) keys.set(String(jwk.kid),key);}
if (keys.size===0) throw new Error('no key that can be used');
const [,age=USUAL_AGE]=/max-age=(\d+)/.exec(headers.get('Cache-Control')??'')??[];
this.#keys=keys;
this.#freshUntil=askedAt + Math.min(MOST_AGE,Math.max(LEAST_AGE,Number(age)))*1_000;
this.#usableUntil=this.#freshUntil + STALE;}}
const ACCESS_TYPE=/^(?:application\/)?at\+jwt$/i;
const SKEW=5;
const ACCESS_LIFE=900;
const isText=(value)=>typeof value==='string'&&value!=='';
const isWhole=(value)=>Number.isSafeInteger(value)&&Number(value)>=0;
const isTexts=(value)=>Array.isArray(value)&&value.every(isText);
const FORMS=[[isText,['iss','sub','client_id','jti','sid']],[isWhole,['iat','exp','ver','auth_time']],[isTexts,['roles','amr']]];
const wallTime=()=>Date.now() / 1_000;
const accepted=(claims,{issuer,audience})=>{for (const [is,names] of FORMS)
for (const name of names) if (!is(claims[name])) throw invalid(name);
const{iss,aud,iat,nbf=0,exp}=claims;
if (iss!==issuer) throw invalid('iss');
if (aud!==audience&&!(isTexts(aud)&&aud.includes(audience))) throw invalid('aud');
const now=wallTime();
if (!isWhole(nbf)||Math.max(iat,nbf)>now + SKEW) throw invalid('not valid yet');
if (exp - iat>ACCESS_LIFE) throw invalid('lives too long');
if (now>=exp) throw new TokenError('token_expired');
return claims;};
const PROOF_TYPE=/^dpop\+jwt$/;
const PROOF_LIFE=60;
const MEMBERS=['crv','e','kty','n','x','y'];
const isHash=async (hash,text)=>{const digest=await crypto.subtle.digest('SHA-256',new TextEncoder().encode(text));
return `${new Uint8Array(digest)}`===`${bytesOf(`${hash}`)}`;};
const targetOf=(text)=>{const{origin,pathname}=new URL(`${text}`);
return origin + pathname;};
class DpopProofs{#seen=new Map();
async check({proof,method,url},token,jkt){try{const jws=parsed(proof,PROOF_TYPE);
const{jwk,alg}=jws.header;
const name=(alg==='Ed25519'?'EdDSA':alg);
if ('d' in jwk||'k' in jwk||(jwk['e']??'AQAB')!=='AQAB') throw 'jwk';
const key=await imported({...jwk,alg:name},[name]);
if (!key||!(await isSigned(key,jws))) throw 'signature';
if (!(await isHash(jkt,JSON.stringify(jwk,MEMBERS)))) throw 'cnf';
const{jti,htm,htu,iat,ath}=jws.claims;
if (htm!==method) throw 'htm';
if (targetOf(htu)!==targetOf(url)) throw 'htu';
if (!(await isHash(ath,token))) throw 'ath';
this.#use(`${jkt} ${jti}`,iat);}catch (error){const{reason=`${error}`}=error;
throw new TokenError('invalid_dpop_proof',reason);}}
#use(key,iat){const now=wallTime();
if (!(iat>=now - PROOF_LIFE&&iat<=now + SKEW)) throw 'iat';
for (const [old,made] of this.#seen){if (made>=now - PROOF_LIFE) break;
this.#seen.delete(old);}
if (this.#seen.has(key)) throw 'jti';
this.#seen.set(key,iat);}}
const LIST_TYPE=/^revocations\+jwt$/;
const KEEP=960_000;
const isList=(value)=>{const{iat,exp,cursor,sessions,users}=value;
return (Number.isSafeInteger(iat)&&
Number.isSafeInteger(exp)&&
typeof cursor==='string'&&
Array.isArray(sessions)&&
typeof users==='object'&&
users!==null);};
const put=(map,key,value)=>{map.delete(key);
map.set(key,value);};
class Revoked{cursor;
#issuer;
#sessions=new Map();
#users=new Map();
#trueAt=Number.NEGATIVE_INFINITY;
#watched=new Map();
constructor(issuer){this.#issuer=issuer;}
includes({sub,sid,ver}){return this.#sessions.has(sid)||ver<(this.#users.get(sub)?.ver??0);}
get age(){return uptime() - this.#trueAt;}
learn(list,since){const now=wallTime();
const url=`${this.#issuer}/.well-known/revocations`;
if (list['iss']!==this.#issuer||list['aud']!==url) throw invalid('of another issuer');
if (!isList(list)) throw invalid('no list');
if (list.iat>now + SKEW||list.exp<=now - SKEW) throw invalid('old list');
if (list.since!==undefined&&list.since!==since) throw invalid('another part');
this.cursor=list.cursor;
this.#trueAt=Math.max(this.#trueAt,uptime() - Math.max(0,now - list.iat)*1_000);
const until=uptime() + KEEP;
for (const sid of list.sessions) put(this.#sessions,sid,{until});
for (const [sub,ver] of Object.entries(list.users)){const known=this.#users.get(sub)?.ver??0;
put(this.#users,sub,{until,ver:ver>known?ver:known});}
this.#forget();
for (const{claims,call}of this.#watched.values())
if (this.includes(claims)) queueMicrotask(call);}
watch(claims,call){const key={};
this.#watched.set(key,{claims,call});
if (this.includes(claims)) queueMicrotask(call);
return ()=>this.#watched.delete(key);}
#forget(){const now=uptime();
for (const map of [this.#sessions,this.#users])
for (const [key,{until}] of map){if (now<until) break;
map.delete(key);}}}
const MOST_WAIT=20;
const TIMEOUT=5_000;
const LIMIT=16_777_216;
const PAUSE=250;
const MOST_PAUSE=5_000;
const SAME_FOR=1_000;
class RevocationFeed{revoked;
#options;
#controller=new AbortController();
#isClosed=false;
#asking;
#askedAt=Number.NEGATIVE_INFINITY;
#wake=()=>{};
reason;
constructor(options){this.#options=options;
this.revoked=new Revoked(options.issuer);}
get isRefusing(){const{whenAway,bound}=this.#options;
return whenAway==='closed'&&this.revoked.age>bound*1_000;}
async current(){if (this.#isClosed) return undefined;
if (this.#options.background){this.#asking??=this.#ask(0).then((isDone)=>{void this.#follow(isDone);});
return this.#asking;}
const now=uptime();
const isRecent=now - this.#askedAt<SAME_FOR;
if (isRecent&&(this.#options.shares||this.revoked.cursor||this.reason))
return this.#asking;
this.#askedAt=now;
const asking=this.#ask(0).then(()=>{});
if (this.#options.shares) this.#asking=asking;
return asking;}
close(){this.#isClosed=true;
this.#controller.abort();
this.#wake();}
async #follow(hasBegun){const wait=Math.min(MOST_WAIT,Math.floor(this.#options.bound / 3));
let failures=hasBegun?0:1;
while (await this.#pause(failures)){failures=(await this.#ask(failures===0?wait:0))?0:failures + 1;}}
async #pause(failures){if (this.#isClosed) return false;
const milliseconds=Math.min(MOST_PAUSE,PAUSE*2**failures)*(1 + Math.random() / 4);
await new Promise((resolve)=>{this.#wake=resolve;
after(milliseconds,resolve);});
return !this.#isClosed;}
async #ask(wait){const{issuer,keys,fetch}=this.#options;
const{cursor}=this.revoked;
this.#controller=new AbortController();
try{const{text}=await fetched({fetch,url:`${issuer}/.well-known/revocations${cursor ? `?since=${encodeURIComponent(cursor)}` : ''}`,headers:wait?{Prefer:`wait=${wait}`}:{},type:'application/jwt',timeout:wait*1_000 + TIMEOUT,limit:LIMIT,controller:this.#controller});
const jws=parsed(text,LIST_TYPE);
await keys.check(jws);
this.revoked.learn(jws.claims,cursor);
return true;}catch (error){const{reason,message}=error;
this.reason=reason??message;
return false;}}}
const MOST=4_096;
const LEAST_BOUND=10;
const AUTHORIZATION=/^(bearer|dpop)(?: +(\S+) *)?$/i;
const assertUsable=({issuer,algorithms=[]},revocations)=>{new URL(issuer);
if (issuer.endsWith('/')) throw new TypeError('issuer ends with a slash');
for (const name of algorithms)
if (!Object.hasOwn(ALGORITHMS,name)) throw new TypeError(`algorithms: ${name}`);
if (!revocations) return;
if (!(revocations.bound>=LEAST_BOUND)) throw new TypeError(`bound below ${LEAST_BOUND}`);
if (!/^(?:open|closed)$/.test(revocations.whenAway)) throw new TypeError('whenAway');};
const isWorker=()=>
(globalThis).navigator?.userAgent===
'Cloudflare-Workers';
const headerOf=(headers,name)=>
`${(typeof headers.get === 'function' ? headers.get(name) : headers[name]) ?? ''}`;
const createVerifier=(options)=>{const shares=!isWorker();
const{issuer,audience=issuer,background=shares}=options;
const{revocations={bound:60,whenAway:'open'}}=options;
assertUsable(options,revocations);
const algorithms=options.algorithms??(Object.keys(ALGORITHMS) );
const call=options.fetch??((input,init)=>fetch(input,init));
const keys=new IssuerKeys({issuer,algorithms,shares,fetch:call});
const feed=revocations
?new RevocationFeed({...revocations,issuer,background,shares,keys,fetch:call})
:undefined;
const proofs=new DpopProofs();
const verify=async (token,proven)=>{if (typeof token!=='string'||token.length>MOST) throw invalid('length');
const jws=parsed(token,ACCESS_TYPE);
await keys.check(jws);
const claims=accepted(jws.claims,{issuer,audience});
const{cnf}=claims;
if (!cnf!==!proven) throw invalid('cnf');
if (proven) await proofs.check(proven,token,(cnf).jkt);
if (!feed) return claims;
await feed.current();
if (feed.revoked.includes(claims)) throw new TokenError('token_revoked');
if (feed.isRefusing) throw new TokenError('issuer_away',feed.reason);
return claims;};
const read=async (headers,at)=>{const [,scheme='',token='']=
AUTHORIZATION.exec(headerOf(headers,'authorization'))??[];
const proven=
at&&/d/i.test(scheme)?{...at,proof:headerOf(headers,'dpop')}:undefined;
if (!proven&&!/b/i.test(scheme)) throw new TokenError('token_missing');
return verify(token,proven);};
return{verify,bearer:async (from)=>read('headers' in from?from.headers:from),request:async ({method,url,headers})=>read(headers,{method,url}),onEnd:(claims,listener)=>{let isOver=false;
const remove=()=>{isOver=true;
clearTimeout(timer);
unwatch?.();};
const end=(code)=>{if (isOver) return;
remove();
listener(code);};
const timer=after(Math.max(0,claims.exp*1_000 - Date.now()),()=>end('token_expired'));
const unwatch=feed?.revoked.watch(claims,()=>end('token_revoked'));
return remove;},close:()=>feed?.close()};};

export { createVerifier, TokenError };

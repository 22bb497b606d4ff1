// Tokens that are bound to a key of the browser, for the browser module of Latchkey, generated from src/clients. MIT License.
const OTHERS=/[+/=]/g;
const base64url=(bytes)=>
btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(OTHERS,(letter)=>({'+':'-','/':'_'})[letter]??'');
const browser=globalThis;
const STORE='keys';
const encoder=new TextEncoder();
const segment=(json)=>base64url(encoder.encode(JSON.stringify(json)));
const done=(asked)=>
new Promise((resolve,reject)=>{asked.onsuccess=()=>resolve(asked.result);
asked.onerror=()=>reject(asked.error);});
const makeKeys=()=>
crypto.subtle.generateKey({name:'ECDSA',namedCurve:'P-256'},false,['sign','verify']);
const storedKeys=async (name)=>{const opening=browser.indexedDB.open(`${name}.dpop`);
opening.onupgradeneeded=()=>opening.result.createObjectStore(STORE);
const database=await done(opening);
const store=()=>database.transaction(STORE,'readwrite').objectStore(STORE);
try{const kept=await done(store().get('keys'));
if (kept) return kept;
const made=await makeKeys();
const place=store();
const first=await done(place.get('keys'));
if (!first) await done(place.put(made,'keys'));
return first??made;}finally{database.close();}};
const isBound=(token)=>{try{const claims=atob((token.split('.')[1]??'').replaceAll('-','+').replaceAll('_','/'));
return claims.includes('"cnf"');}catch{return false;}};
const dpopFetch=({url,name='latchkey',bind='session'})=>{const here=browser.location?.href;
const base=new URL(url.replace(/\/*$/,'/'),here).href;
const nonces=new Map();
let keys;
const load=async ()=>{const{publicKey,privateKey}=await storedKeys(name);
const{kty,crv,x,y}=await crypto.subtle.exportKey('jwk',publicKey);
return{privateKey,jwk:{kty,crv,x,y}};};
const proofOf=async (method,{origin,pathname},token)=>{keys??=load();
const{privateKey,jwk}=await keys;
const nonce=nonces.get(origin);
const input=`${segment({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${segment({jti: base64url(crypto.getRandomValues(new Uint8Array(16))),htm: method,htu: origin + pathname,iat: Math.floor(Date.now() / 1_000),...(token && {ath: base64url(await crypto.subtle.digest('SHA-256', encoder.encode(token)))}),...(nonce && { nonce })})}`;
const how={name:'ECDSA',hash:'SHA-256'};
const signature=await crypto.subtle.sign(how,privateKey,encoder.encode(input));
return `${input}.${base64url(signature)}`;};
let isUnbound=false;
return async (input,init)=>{const request=typeof input==='object'&&'url' in input?input:undefined;
const target=new URL(request?.url??String(input),here);
const headers=new Headers(init?.headers??request?.headers);
const [,token]=/^Bearer (.+)/.exec(headers.get('Authorization')??'')??[];
const isOurs=token?isBound(token):target.href.startsWith(base);
if (!isOurs) return fetch(input,init);
if (token) headers.set('Authorization',`DPoP ${token}`);
else if (bind==='refresh') headers.set('Prefer','token_type=Bearer');
const method=(init?.method??request?.method??'GET').toUpperCase();
const isRefresh=target.origin + target.pathname===`${base}v1/refresh`;
const isStream=
typeof (init?.body)?.getReader==='function';
const call=async (isProven)=>{if (isProven) headers.set('DPoP',await proofOf(method,target,token));
else headers.delete('DPoP');
const response=await fetch(request?.clone()??input,{...init,headers});
const nonce=response.headers.get('DPoP-Nonce');
if (nonce) nonces.set(target.origin,nonce);
return response;};
const isRefused=({headers},error)=>
!isStream&&headers.get('WWW-Authenticate')?.includes(error);
const attempt=async ([isProven,...others] )=>{let response=await call(isProven);
if (isRefused(response,'use_dpop_nonce')) response=await call(isProven);
if (others.length&&isRefused(response,'invalid_dpop_proof')) return attempt(others);
if (isRefresh) isUnbound=!isProven;
return response;};
if (!isRefresh) return attempt([true,true]);
return attempt(isUnbound?[false,true,true]:[true,true,false]);};};

export { dpopFetch };

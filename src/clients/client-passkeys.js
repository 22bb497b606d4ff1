// Passkeys, for the browser module of Latchkey, generated from src/clients. MIT License.
import { LatchkeyError } from './client.js';
const OTHERS=/[+/=]/g;
const base64url=(bytes)=>
btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(OTHERS,(letter)=>({'+':'-','/':'_'})[letter]??'');
const bytesOf=(text)=>
Uint8Array.from(atob(text.replace(/-/g,'+').replace(/_/g,'/')),(letter)=>
letter.charCodeAt(0));
const optionsOf=({challenge,user,excludeCredentials,...others})=>({...others,challenge:bytesOf(challenge),...(user&&{user:{...user,id:bytesOf(user.id)}}),...(excludeCredentials&&{excludeCredentials:excludeCredentials.map((each)=>({...each,id:bytesOf(each.id)}))})});
const PARTS=['clientDataJSON','attestationObject','authenticatorData','signature','userHandle'];
const jsonOf=({id,rawId,type,response})=>({id,rawId:base64url(rawId),type,response:{...Object.fromEntries(PARTS.flatMap((part)=>{const bytes=response[part];
return bytes?[[part,base64url(bytes)]]:[];})),...(response.getTransports&&{transports:response.getTransports()})}});
const browser=globalThis;
const FRESH=240_000;
const createPasskeys=({core:{base,send,signIn},...client})=>{let waiting=new AbortController();
const ask=async (kind,optionsFrom,how={})=>{waiting.abort();
const mine=new AbortController();
waiting=mine;
const{options}=await optionsFrom();
return jsonOf(await browser.navigator.credentials[kind]({...how,publicKey:optionsOf(options),signal:mine.signal}));};
const assertion=(body={},how={})=>
ask('get',async ()=>
(await send('v1/login/passkey/options',{body})).answer,how);
const call=async (method,path='',body)=>{const response=await client.fetch(`${base}v1/me/passkeys${path}`,{method,...(body&&{headers:{'Content-Type':'application/json'},body:JSON.stringify(body)})});
const text=await response.text();
const isJson=/json/.test(response.headers.get('Content-Type')??'');
const answer=isJson?JSON.parse(text):{};
if (!response.ok) throw new LatchkeyError(response,answer);
return answer;};
return{isSupported:!!browser.PublicKeyCredential,signIn:async (options)=>{await signIn('v1/login/passkey',{passkey:await assertion(options)});},autofill:async ()=>{if (!(await browser.PublicKeyCredential?.isConditionalMediationAvailable?.())) return false;
for (;;){const pending=assertion({},{mediation:'conditional'});
const mine=waiting;
let isStale=false;
const alarm=setTimeout(()=>{isStale=true;
mine.abort();},FRESH);
try{return (await signIn('v1/login/passkey',{passkey:await pending}))===true;}catch (error){if (!mine.signal.aborted) throw error;
if (!isStale) return false;}finally{clearTimeout(alarm);}}},answerChallenge:async (challenge)=>
client.answerChallenge(challenge,{passkey:await assertion()}),verify:async ()=>client.verify({passkey:await assertion()}),list:async ()=>(await call('GET')).passkeys,add:async (name)=>{const passkey=await ask('create',()=>call('POST','/options',{}));
return call('POST','',{passkey,name});},rename:(id,name)=>call('PATCH',`/${id}`,{name}),remove:async (id)=>{await call('DELETE',`/${id}`);}};};

export { createPasskeys };

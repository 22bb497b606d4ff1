// The browser module of Latchkey, generated from src/clients. MIT License.
class LatchkeyError extends Error{constructor(response,problem){const{code,detail,title}=problem;
super(detail??title??`status ${response.status}`);
this.name='LatchkeyError';
this.code=code;
this.status=response.status;
this.retryAfter=Number(response.headers.get('Retry-After'))||undefined;
this.problem=problem;}}
const ENDINGS=['refresh_missing','refresh_invalid','refresh_reused','invalid_dpop_proof'];
const isEnding=(error)=>error instanceof LatchkeyError&&error.status===401&&ENDINGS.includes(`${error.code}`);
const isFinal=(error)=>
error instanceof LatchkeyError&&error.code&&error.status<500&&error.status!==429;
const TRIES=4;
const pauseAfter=(error,tries)=>{if (isFinal(error)||tries>=TRIES) return undefined;
const{retryAfter=0}=error instanceof LatchkeyError?error:{};
return Math.max(retryAfter*1_000,500*2**tries)*(1 + Math.random() / 4);};
const platform=globalThis;
const memory=()=>{const items=new Map();
return{getItem:(key)=>items.get(key)??null,setItem:(key,value)=>items.set(key,value),removeItem:(key)=>items.delete(key)};};
const pageStorage=()=>{try{return platform.localStorage??memory();}catch{return memory();}};
const randomBytes=(bytes)=>
platform.crypto?.getRandomValues(bytes)??bytes.map(()=>Math.random()*256);
const newKey=()=>
Array.from(randomBytes(new Uint8Array(16)),(byte)=>byte.toString(16).padStart(2,'0')).join('');
const oneAtATime=(name)=>{let last=Promise.resolve();
return async (work)=>{const locks=platform.navigator?.locks;
if (!locks){const turn=last.then(()=>work(false));
last=turn.catch(()=>{});
return turn;}
const done=await locks.request(name,{ifAvailable:true},async (lock)=>
lock?{result:await work(false)}:undefined);
return done?done.result:locks.request(name,{},()=>work(true));};};
const PATIENCE=20_000;
const wire=
(base,inBody,call)=>
async (path,{method='POST',body,token,key}={})=>{const abort=new AbortController();
const alarm=setTimeout(()=>abort.abort(),PATIENCE);
try{const response=await call(base + path,{method,headers:{...(body&&{'Content-Type':'application/json'}),...(token&&{Authorization:`Bearer ${token}`}),...(key&&{'Idempotency-Key':key})},credentials:inBody?'omit':'include',signal:abort.signal,body:body?JSON.stringify(body):null});
const text=await response.text();
if (response.ok) return{status:response.status,answer:text&&JSON.parse(text)};
const isProblem=response.headers
.get('Content-Type')
?.startsWith('application/problem+json');
throw new LatchkeyError(response,isProblem?JSON.parse(text):{});}finally{clearTimeout(alarm);}};
const bearerFetch=
({fetch,here,trusted,token,after,stepUp})=>
async (input,init)=>{const request=typeof input==='object'&&'url' in input?input:undefined;
const headers=new Headers(init?.headers??request?.headers);
const{origin}=new URL(request?.url??String(input),here);
const sent=trusted.has(origin)&&!headers.has('Authorization')?await token():undefined;
if (!sent) return fetch(input,init);
const again=request?.clone()??input;
const call=(target,bearer)=>{headers.set('Authorization',`Bearer ${bearer}`);
return fetch(target,{...init,headers});};
const response=await call(input,sent);
const isStepUp=/insufficient_user/.test(response.headers.get('WWW-Authenticate')??'');
const isStream=
typeof (init?.body)?.getReader==='function';
if (response.status!==401||isStream||(isStepUp&&!stepUp)) return response;
if (isStepUp) await stepUp?.();
const next=await (isStepUp?token():after(sent));
return next?call(again,next):response;};
const LATER=30_000;
const MARGIN=10_000;
const BEHIND=200;
const UNKNOWN='1';
const pass=()=>{};
const createClient=({url,transport='cookie',storage,origins=[],name='latchkey',onStepUp,fetch:call=(...sent)=>fetch(...sent)})=>{const inBody=transport==='body';
if (inBody&&!storage) throw new TypeError('transport "body" needs a storage');
const store=storage??pageStorage();
const here=platform.location?.href;
const base=new URL(url.replace(/\/*$/,'/'),here).href;
const trusted=new Set([base,...origins].map((each)=>new URL(each).origin));
trusted.delete('null');
trusted.delete('');
const locked=oneAtATime(name);
const channel=platform.BroadcastChannel&&new platform.BroadcastChannel(name);
const listeners=new Set();
let session;
let signedIn;
let changedAt=0;
let epoch=0;
let endedId;
let refreshing;
let isWanted=false;
let notBefore=0;
let timer;
let isClosed=false;
let stir=pass;
const keep=(key,value)=>store.setItem(`${name}.${key}`,value);
const kept=(key)=>store.getItem(`${name}.${key}`);
const drop=(key)=>store.removeItem(`${name}.${key}`);
const pause=(length)=>
new Promise((resolve)=>{stir=resolve;
setTimeout(resolve,length);});
const plan=(at)=>{clearTimeout(timer);
if (session&&!isClosed) timer=setTimeout(refreshBehind,Math.max(at - Date.now(),0));};
const become=(next,reason,at)=>{const isNews=signedIn!==!!next||session?.id!==next?.id;
if (!next) endedId=session?.id??endedId;
session=next;
signedIn=!!next;
changedAt=at;
epoch +=1;
stir();
plan(next?.refreshAt??0);
if (isNews) for (const listener of listeners) listener({signedIn,reason});};
const share=(next,reason,at=Date.now())=>{const ended=session?.id;
become(next,reason,at);
if (next||ended) channel?.postMessage({at,reason,session:next,ended});};
const keepAll=async (tokens)=>{if (tokens.refresh_token) await keep('refresh',tokens.refresh_token);
if (tokens.device_token) await keep('device',tokens.device_token);
await drop('attempt');};
const carried=async (key)=>(inBody&&(await kept(key)))||undefined;
const forget=async ()=>{for (const key of ['refresh','attempt','ended']) await drop(key);};
const adopt=async (tokens,reason)=>{const at=Date.now();
await keepAll(tokens);
if (reason==='sign_in') await drop('ended');
const next={id:tokens.session_id,token:tokens.access_token,refreshAt:at + tokens.refresh_after*1_000,expiresAt:at + tokens.expires_in*1_000};
share(next,reason,at);};
if (channel)
channel.onmessage=({data})=>{const{at,reason,session:next,ended}=data;
if (next){if (at>changedAt&&next.id!==endedId) become(next,reason,at);}else if (session?.id===ended) become(undefined,reason,at);};
const send=wire(base,inBody,call);
const finishLogout=async (tokens)=>{const ended=await kept('ended');
if (!ended) return false;
await keepAll(tokens);
const{access_token:token,session_id}=tokens;
const isOver=ended===UNKNOWN||ended===session_id;
const id=isOver?session_id:ended;
try{await send(`v1/me/sessions/${id}`,{method:'DELETE',token});}catch (error){if (isOver) throw error;
if (!(error instanceof LatchkeyError&&error.code==='not_found')) return false;}
await (isOver?forget():drop('ended'));
return isOver;};
const exchange=async (resource)=>{const attempt=(await kept('attempt'))||newKey();
await keep('attempt',attempt);
const{answer}=await send('v1/refresh',{body:{refresh_token:await carried('refresh'),resource},key:attempt});
if (!answer.access_token) throw new TypeError('no answer of the service');
return answer;};
const renew=async (began,waited)=>{if (waited&&epoch===began) await pause(BEHIND);
if (epoch!==began) return;
if (inBody&&!(await carried('refresh'))){await forget();
share(undefined,'refresh_missing');
return;}
try{const answer=await exchange();
const isOver=await finishLogout(answer);
if (epoch!==began) return;
if (isOver) share(undefined,'sign_out');
else await adopt(answer,'refresh');}catch (error){if (!isEnding(error)) throw error;
if (epoch!==began) return;
await forget();
share(undefined,error.code);}};
const renewPatiently=async ()=>{const began=epoch;
for (let tries=0;;tries +=1){try{return await locked((waited)=>renew(began,waited));}catch (error){const length=pauseAfter(error,tries);
if (length===undefined||length>LATER||isClosed){const{retryAfter=0}=error instanceof LatchkeyError?error:{};
notBefore=Date.now() + retryAfter*1_000;
plan(Math.max(notBefore,Date.now() + LATER));
throw error;}
await pause(length);
if (epoch!==began) return;}}};
const refresh=()=>{isWanted=true;
refreshing??=renewPatiently().finally(()=>{refreshing=undefined;});
return refreshing;};
const refreshBehind=()=>{refresh().catch(pass);};
const isDue=async ()=>{if (session) return Date.now()>=session.refreshAt;
return signedIn===undefined?isWanted:kept('ended');};
const wake=()=>{stir();
isDue().then((due)=>{if (due&&Date.now()>=notBefore) refreshBehind();},pass);};
const token=async ()=>{const now=Date.now();
if (session&&now<session.expiresAt - MARGIN){if (now>=session.refreshAt&&now>=notBefore) refreshBehind();}else if (session||signedIn===undefined) await refresh();
return session?.token;};
const signIn=(path,body)=>
locked(async ()=>{if (await kept('ended')) await exchange().then(finishLogout).catch(pass);
const{status,answer}=await send(path,{body});
if (status===202) return answer.mfa_token?answer:false;
await adopt(answer,'sign_in');
return true;});
const device=async ()=>({device_token:await carried('device')});
const signInHere=async (path,body)=>
signIn(path,{...body,transport,...(await device())});
const onOccasion=({persisted})=>{if (persisted&&session) refreshBehind();
else wake();};
const occasions=['visibilitychange','pageshow','online'];
for (const occasion of occasions) platform.addEventListener?.(occasion,onOccasion);
return{get signedIn(){return signedIn;},token,tokenFor:async (resource)=>
(await token())
?locked(async ()=>{const answer=await exchange(resource);
await keepAll(answer);
return answer;})
:undefined,fetch:bearerFetch({fetch:call,here,trusted,token,stepUp:onStepUp,after:async (refused)=>{if (session?.token===refused) await refresh();
return session?.token;}}),core:{base,send,device,signIn:signInHere},login:async (credentials)=>{const answer=await signInHere('v1/login',credentials);
return typeof answer==='object'?answer:undefined;},answerChallenge:async ({mfa_token},proof)=>{await signIn('v1/login/mfa',{mfa_token,...proof});},register:async (fields)=>(await signIn('v1/register',{...fields,transport}))===true,completeSignUp:async (fields)=>{await signIn('v1/register/complete',{...fields,transport});},changePassword:async (body)=>{await token();
await locked(async ()=>{const call={method:'PUT',body,token:session?.token};
const{answer}=await send('v1/me/password',call);
await adopt(answer,'refresh');});},verify:async (body)=>{const call={body,token:await token()};
const id=session?.id;
const{answer}=await send('v1/me/verify',call);
const at=Date.now();
if (!session||session.id!==id) return;
const expiresAt=at + answer.expires_in*1_000;
const next={...session,token:answer.access_token,expiresAt};
share(next,'refresh',at);},logout:async ()=>{const last=session;
if (last||(signedIn===undefined&&!(await kept('ended'))))
await keep('ended',last?.id??UNKNOWN);
share(undefined,'sign_out');
await locked(async ()=>{try{const body={refresh_token:await carried('refresh')};
await send('v1/logout',{body,token:last?.token});}catch (error){if (!(error instanceof LatchkeyError&&error.code?.startsWith('token_'))) throw error;}
await forget();});},onChange:(listener)=>{listeners.add(listener);
return ()=>listeners.delete(listener);},wake,close:()=>{isClosed=true;
clearTimeout(timer);
channel?.close();
listeners.clear();
stir();
for (const occasion of occasions) platform.removeEventListener?.(occasion,onOccasion);}};};

export { createClient, LatchkeyError };

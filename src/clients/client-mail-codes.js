// Codes by mail, for the browser module of Latchkey, generated from src/clients. MIT License.
const createMailCodes=({core:{send,device,signIn}})=>({send:async (email)=>{const{answer}=await send('v1/login/code',{body:{email,...(await device())}});
return answer;},signIn:async ({code_token},code)=>{const answer=await signIn('v1/login/code/verify',{code_token,code});
return typeof answer==='object'?answer:undefined;}});

export { createMailCodes };

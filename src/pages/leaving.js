/** @param {BeforeUnloadEvent} event */
const ask = (event) => event.preventDefault();

/** From now on the browser asks before it leaves this page: it has something that is shown once. */
export const holdPage = () => addEventListener('beforeunload', ask);

export const letPageGo = () => removeEventListener('beforeunload', ask);

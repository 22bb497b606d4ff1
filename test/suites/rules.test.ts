import { suite } from '../suite.ts';

await suite('domain/**/*', 'mail/**/*', 'storage/*');

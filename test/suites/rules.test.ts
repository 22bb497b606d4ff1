import { suite } from '../suite.ts';

await suite('actions/**/*', 'parts/**/*', 'rules/*');

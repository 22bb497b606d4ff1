import { suite } from '../suite.ts';

suite('actions/**/*', 'parts/**/*', 'routes/**/*', 'rules/*');

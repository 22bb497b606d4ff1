import { suite } from '../suite.ts';

suite('actions/**/*', 'clients/*', 'parts/**/*', 'routes/**/*', 'rules/*');

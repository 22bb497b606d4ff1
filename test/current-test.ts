import { currentTest } from './suite.ts';

/** Stands in for `tap` in a test file of a suite; loaded anew for each. */
export default currentTest();

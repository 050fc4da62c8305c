Console.Error.WriteLine("muster: no commands yet");
return 2;

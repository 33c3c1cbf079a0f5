package main

// opusTone is a fifth of a second of a 440 Hz tone, 20 ms a packet: 88 whole periods, so that it can be
// repeated without a break.
var opusTone = []string{
	"+K1mBGG3+rTuHfKwPmDFFjERq1zfjYEtphwQPz47bKkhVApBH+RrgmcrHiC6gMI9tpilCJKNUeIfIVezskMn5ZqJa0QyM0g3" +
		"4CLEHt7m7xrfGPwB/v0JMyJTC/l0m5UpIUzrvvHkHCCmiAHt24T0X0W2W6iHVXyR7g==",
	"+KyqEBgVcyjuoamMYaAt08GORrfkS4JJqdtUFRHaGlqNJgV32P+hgfxQqhL30obnoNRdbQYn3Nyj3Fctz3n0N6pdeb2q+I0q" +
		"OHZgXKR239YwWV/Qp+ZqhMjzuk6BRRz1A9dwTR1pXCp+k7Y4ZdXRgt6cbtG5nRU/7g==",
	"+LBNxdpIDmr30cPSIr+xoIOMWbuvleU/Gb2bjaSnYDVqJnSDg5ySu6s9QUs6XH4CUvfk9H0UEx6g0ySbioXDteD/dl1dISCQ" +
		"Kua71RcP9K+KrZYSkI0NE+MBsoeYwpfuD4fnWLNv7Pl/0A9s1HskG0l15poc7J5j7g==",
	"+K1twZ9Pl1EIOZIrEIrizOqz00BJ0GaFlqUSP66l2NuTBZ581/WZf7WX9FoYHowTUuTzxjzYS/cdH5c1bYmrf58UlDYvigDk" +
		"y2iWHtNmuoGIlNnubc4fZucE3Mthskg0sNz/6bvXaFZIn4Ax/+Ra3t6a8l9ppc5J7g==",
	"+KyqcisNZ1ObwuJrzc57vDkLw2Pu+B45hrV5zWkEWqoLASJSHnnGOHJS3mzcTJeEiPk08wmTGOe5BhiSYETaMJd+tDm/6N8L" +
		"YL4kxMZhx2Xmo2rSxH1EeuGRU27OF+Kck5WqH1XTB/WVfrmveOb/n0ZlINrdDSMJ7g==",
	"+K1mBGOkOq01ulD6PeZedBwqXU5okcFIqlXIF06V2Yk+afRyLKykz5peU26AzBl//QntjUbBbPHn1Olnh+mpk3LrWiGtZ/+J" +
		"wBsxRUQ5vGONTw4blH0JMyJTC/l0m5UpIUzrvvHkHCCmiAHt24T0H0W126iHVXyR7g==",
	"+KyqEBgbdesHSqlwa+jREHL3E6AKlP6ajSmno74p2IJUebrwllyVnVp3QBvGE+ZiQGj7LHfP4fRuy3PyyUN3n6pder47G/kq" +
		"OwIOykpAMFYwPE8Ap+ZahMjzuk6BRSThA9o9zRyfXCp+k7Y9iVXRwuKcbtG5nRU/7g==",
	"+LBNxdpIDmr30cPSIr+xoIOMWbuvleU/Gb2bjaSnYDVqJnSDg5ySvCZZC/AQXH4CSVzsxvejakDK4tnNxULgNnuDuy6g0zbz" +
		"L9HxVo4P9K+KrZYxl88kQuZwLeeYwpfuD4fnWLNv7Pl/0A9s1HzYG0V95poc7J5j7g==",
	"+K1twZ9RDehsyrAAUY2zw7DdkRzSnaBD0Qad/7S5h3IHO3KligNT964QnFPyJmv+huWU4TnAg2iAgUuatsTU+Nv42ElXxQBy" +
		"ZbRLD2mgYma6SmzVP5wru44JuZbDnkg0sNz/6bvXcs5In4Ax/+Rant6c8l9ppc5J7g==",
	"+KyqcisNZ1ObwuJrzc57vDc2eMgtn+uo4M+VyELVIjAAUvoXM2/8vPmjPUNlsQgsZ9O1ixH/fncSRYZvEYhLbRH1odSO5vwl" +
		"/nODbgv9jMXmo2rSzazzeuGRU27HN+Kck5WqH1XTB/WVfrmveOb/n0ZlINrdDSMJ7g==",
}

// vp8Greys are key frames of 64 x 48: a dark grey and a bright one.
var vp8Greys = []string{
	"EAMAnQEqQAAwADkDAAAcIhYWImYSIASQQADRyfbefm/IIP7+0BwA",
	"EAMAnQEqQAAwADkDAAAcIhYWImYSIASQQADRyfbefm/IIP7+fggA",
}
